@testable import BlockStore
import Support
import Testing

/// The examples of "Signature Calculations for the Authorization Header" in the S3 API reference.
@Suite("S3 signatures")
struct S3SignatureTests {
    private let signature = S3Signature(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1")
    private let time = S3Time(seconds: 1_369_353_600)
    private let host = (name: "host", value: "examplebucket.s3.amazonaws.com")
    private let date = (name: "x-amz-date", value: "20130524T000000Z")
    private let empty = (name: "x-amz-content-sha256", value: S3Signature.emptyHash)

    private func sign(_ request: S3Signature.Request) -> Substring? {
        signature.authorization(for: request, at: time).split(separator: "Signature=").last
    }

    @Test("writes the time as AWS does")
    func times() {
        #expect(time.text == "20130524T000000Z")
        #expect(time.day == "20130524")
        #expect(S3Time(seconds: 1_709_210_096).text == "20240229T123456Z")
    }

    @Test("signs the documented GET of an object, the whole header")
    func object() {
        let request = S3Signature.Request(
            method: "GET", path: "/test.txt", headers: [host, (name: "range", value: "bytes=0-9"), empty, date],
            payloadHash: S3Signature.emptyHash)
        let expected =
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
            + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        #expect(signature.authorization(for: request, at: time) == expected)
    }

    @Test("signs the documented PUT of an object")
    func put() {
        let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        let request = S3Signature.Request(
            method: "PUT", path: PercentEncoding.encode("/test$file.text", keepingSlashes: true),
            headers: [
                (name: "date", value: "Fri, 24 May 2013 00:00:00 GMT"), host, date,
                (name: "x-amz-storage-class", value: "REDUCED_REDUNDANCY"),
                (name: "x-amz-content-sha256", value: hash),
            ],
            payloadHash: hash)
        #expect(sign(request) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test("signs the documented GETs of a bucket's lifecycle and list")
    func queries() {
        var request = S3Signature.Request(
            method: "GET", path: "/", query: "lifecycle=", headers: [host, empty, date],
            payloadHash: S3Signature.emptyHash)
        #expect(sign(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
        request.query = "max-keys=2&prefix=J"
        #expect(sign(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }
}
