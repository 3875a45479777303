internal import Foundation

/// moto's S3 server on 127.0.0.1 with a user, a key and a bucket; it checks signatures. Ends with its object.
public final class MotoServer: Sendable {
    private let process: ServerProcess
    public let port: UInt16
    public let accessKey: String
    public let secretKey: String
    public let bucket = "blocks"

    /// The Python that has moto: the one `FLIST_TEST_PYTHON` names, or `python3`.
    private static let python = ProcessInfo.processInfo.environment["FLIST_TEST_PYTHON"] ?? "python3"

    /// True when that Python can import the server.
    public static let isInstalled: Bool = {
        (try? ChildProcess([python, "-c", "import moto.server, flask"]))?.wait() == .exited(0)
    }()

    public init() throws {
        port = try LoopbackPort.free()
        // The four actions below are free; from then on every request is authenticated and authorised.
        process = try ServerProcess(
            Self.python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"],
            environment: ["INITIAL_NO_AUTH_ACTION_COUNT": "4"], folder: try ServerProcess.makeFolder("moto"), port: port
        )
        let origin = "http://127.0.0.1:\(port)"
        _ = try Self.send(origin, "iam", "Action=CreateUser&UserName=u")
        let keys = try Self.send(origin, "iam", "Action=CreateAccessKey&UserName=u")
        let policy = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#
        let encoded = policy.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        _ = try Self.send(origin, "iam", "Action=PutUserPolicy&UserName=u&PolicyName=p&PolicyDocument=\(encoded)")
        _ = try Self.send("\(origin)/\(bucket)", "s3", nil)
        accessKey = try Self.element("AccessKeyId", of: keys)
        secretKey = try Self.element("SecretAccessKey", of: keys)
    }

    /// Host and port.
    public var endpoint: String { "127.0.0.1:\(port)" }

    private static func send(_ url: String, _ service: String, _ form: String?) throws -> String {
        // Not checked yet, but moto reads from it which service is meant.
        let credential = "Credential=a/20200101/us-east-1/\(service)/aws4_request"
        let authorization = "Authorization: AWS4-HMAC-SHA256 \(credential), SignedHeaders=host, Signature=x"
        let body = form.map { ["--data", "\($0)&Version=2010-05-08"] } ?? ["--request", "PUT"]
        let end = try ChildProcess.run(["curl", "-sS", "--fail-with-body", "-H", authorization] + body + [url])
        guard end.status == 0 else {
            throw ServerProcess.Failure(description: "moto refused its set-up: \(end.errors)\(end.output)")
        }
        return end.output
    }

    private static func element(_ name: String, of text: String) throws -> String {
        guard let start = text.range(of: "<\(name)>"), let end = text.range(of: "</\(name)>") else {
            throw ServerProcess.Failure(description: "moto gave no \(name): \(text)")
        }
        return String(text[start.upperBound..<end.lowerBound])
    }
}
