internal import Foundation
internal import FoundationNetworking

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

    public init() async throws {
        port = try LoopbackPort.free()
        // The four actions below are free; from then on every request is authenticated and authorised.
        process = try ServerProcess(
            Self.python, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"],
            environment: ["INITIAL_NO_AUTH_ACTION_COUNT": "4"], folder: try ServerProcess.makeFolder("moto"), port: port
        )
        let origin = "http://127.0.0.1:\(port)"
        _ = try await Self.send(origin, "iam", "Action=CreateUser&UserName=u")
        let keys = try await Self.send(origin, "iam", "Action=CreateAccessKey&UserName=u")
        let policy = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#
        let encoded = policy.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        _ = try await Self.send(origin, "iam", "Action=PutUserPolicy&UserName=u&PolicyName=p&PolicyDocument=\(encoded)")
        _ = try await Self.send("\(origin)/\(bucket)", "s3", nil)
        accessKey = try Self.element("AccessKeyId", of: keys)
        secretKey = try Self.element("SecretAccessKey", of: keys)
    }

    /// Host and port.
    public var endpoint: String { "127.0.0.1:\(port)" }

    private static func send(_ url: String, _ service: String, _ form: String?) async throws -> String {
        guard let url = URL(string: url) else { throw ServerProcess.Failure(description: "bad address \(url)") }
        var request = URLRequest(url: url)
        request.httpMethod = form == nil ? "PUT" : "POST"
        request.httpBody = form.map { Data("\($0)&Version=2010-05-08".utf8) }
        // Not checked yet, but moto reads from it which service is meant.
        request.setValue(
            "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/\(service)/aws4_request, SignedHeaders=host, Signature=x",
            forHTTPHeaderField: "Authorization")
        let (data, response) = try await URLSession.shared.data(for: request)
        let text = String(decoding: data, as: UTF8.self)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else {
            throw ServerProcess.Failure(description: "moto refused its set-up: \(text)")
        }
        return text
    }

    private static func element(_ name: String, of text: String) throws -> String {
        guard let start = text.range(of: "<\(name)>"), let end = text.range(of: "</\(name)>") else {
            throw ServerProcess.Failure(description: "moto gave no \(name): \(text)")
        }
        return String(text[start.upperBound..<end.lowerBound])
    }
}
