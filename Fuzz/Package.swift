// swift-tools-version: 6.1
import PackageDescription

// A package of its own: it is built with libFuzzer's instrumentation, by scripts/fuzz.
let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "flist", path: "..")],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [.product(name: "FlistReaders", package: "flist")],
            swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")])
    ]
)
