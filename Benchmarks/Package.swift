// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that whoever builds Flist resolves none of what only measuring needs.
let package = Package(
    name: "benchmarks",
    dependencies: [
        // Without its traits: the interposers that count allocations are packages of their own. Those counts read 0.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(name: "flist", path: ".."),
    ],
    targets: [
        .executableTarget(
            name: "Parts",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "FlistParts", package: "flist"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Benchmarks/Parts",
            swiftSettings: [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
