// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Tests take what their imports bring along.
let testSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

/// A library of Debian's, imported by exactly one Swift target.
func system(_ name: String, apt package: String) -> Target {
    .systemLibrary(name: name, path: "Sources/C/\(name)", providers: [.apt([package])])
}

/// C of our own: what loads a library of Debian's when it is first needed, or is compiled for several processors.
func c(_ name: String) -> Target {
    .target(name: name, path: "Sources/C/\(name)", publicHeadersPath: ".")
}

func library(_ name: String, _ dependencies: [Target.Dependency], extra: [SwiftSetting] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings + extra)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        resources: resources,
        swiftSettings: testSettings)
}

let package = Package(
    name: "flist",
    products: [
        .executable(name: "flist", targets: ["flist"]),
        .executable(name: "flistd", targets: ["flistd"]),
        // For the package in Benchmarks, which measures them one by one.
        .library(
            name: "FlistParts",
            targets: ["Support", "BlockCodec", "BlockStore", "BlockCache", "FlistImage", "FlistContent"]),
        // For the package in Fuzz: everything that reads what others wrote.
        .library(
            name: "FlistReaders",
            targets: [
                "Support", "BlockCodec", "BlockStore", "FlistFormat", "FlistImage", "FlistContent", "FUSESession",
                "FlistManager", "Keeper", "ZBus",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        system("CFUSE", apt: "libfuse3-dev"),
        system("CSQLite", apt: "libsqlite3-dev"),
        system("CArchive", apt: "libarchive-dev"),
        system("CZstd", apt: "libzstd-dev"),
        system("CSnappy", apt: "libsnappy-dev"),
        system("CCrypto", apt: "libssl-dev"),
        system("CHiredis", apt: "libhiredis-dev"),
        system("CMessagePack", apt: "libmsgpack-dev"),
        c("CCurl"),
        system("CYAML", apt: "libyaml-dev"),
        system("CXXHash", apt: "libxxhash-dev"),
        system("CBtrfs", apt: "libbtrfsutil-dev"),
        system("CSeccomp", apt: "libseccomp-dev"),
        c("CMicroHTTPD"),
        c("CBLAKE2b"),
        .systemLibrary(name: "CLinux", path: "Sources/C/CLinux"),

        library("Support", ["CBLAKE2b", "CLinux"]),
        library("Telemetry", ["Support", "CLinux", "CMicroHTTPD", .product(name: "Logging", package: "swift-log")]),
        library(
            "ProgramSupport",
            [
                "Support", "CLinux", "CSeccomp", "Telemetry",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        library("FlistFormat", ["Support"], extra: [.strictMemorySafety()]),
        library("Redis", ["Support", "CHiredis"]),
        library("BlockCodec", ["Support", "CZstd", "CSnappy", "CCrypto"]),
        library("YAML", ["CYAML"]),
        library(
            "BlockStore",
            ["Support", "BlockCodec", "Redis", "CCurl", "YAML", .product(name: "Logging", package: "swift-log")]),
        library(
            "Hub",
            ["Support", "CLinux", "BlockCodec", "BlockStore", .product(name: "Logging", package: "swift-log")]),
        library("BlockCache", ["Support", "BlockCodec", .product(name: "Logging", package: "swift-log")]),
        library("FlistImage", ["Support", "CLinux", "FlistFormat", "BlockCodec", "CSQLite", "CArchive", "CXXHash"]),
        library(
            "FlistContent",
            [
                "Support", "BlockCodec", "BlockStore", "BlockCache", "FlistImage",
                .product(name: "Logging", package: "swift-log"),
            ]),
        library("FUSESession", ["Support", "CFUSE", "CLinux"]),
        library("Keeper", ["Support", "CLinux"]),
        library(
            "FlistFileSystem",
            [
                "Support", "CLinux", "BlockCodec", "BlockStore", "BlockCache", "FlistImage", "FlistContent",
                "FUSESession",
            ]),
        library(
            "FlistTools",
            [
                "Support", "BlockCodec", "BlockStore", "BlockCache", "FlistImage", "FlistContent",
            ]),
        library("Volumes", ["Support", "CLinux", "CBtrfs", .product(name: "Logging", package: "swift-log")]),
        library("ZBus", ["Support", "Redis", "CMessagePack", .product(name: "Logging", package: "swift-log")]),
        library(
            "FlistManager",
            [
                "Support", "CLinux", "BlockStore", "BlockCache", "FlistImage", "FlistContent", "FUSESession",
                "FlistFileSystem", "Hub", "Keeper", "Volumes", "ZBus", "Telemetry",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "flist",
            dependencies: [
                "CLinux", "Support", "BlockCodec", "BlockStore", "BlockCache", "FlistImage", "FlistContent",
                "FUSESession", "Keeper",
                "FlistFileSystem", "FlistTools", "FlistManager", "ZBus", "Telemetry", "ProgramSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "flistd",
            dependencies: [
                "Support", "YAML", "BlockStore", "BlockCache", "Keeper", "Volumes", "ZBus", "FlistManager", "Telemetry",
                "ProgramSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),

        .target(
            name: "TestSupport", dependencies: ["Support", "CLinux", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("Support", []),
        tests("Telemetry", ["Support"]),
        tests("ProgramSupport", ["Support", "Telemetry"]),
        tests("FlistFormat", ["Support"]),
        tests("Redis", ["Support"]),
        tests("BlockCodec", ["Support"]),
        tests("BlockStore", ["Support", "BlockCodec"]),
        tests("Hub", ["Support", "BlockCodec"]),
        tests("BlockCache", ["Support", "BlockCodec"]),
        tests("FlistImage", ["Support", "FlistFormat", "BlockCodec"]),
        tests("FlistContent", ["Support", "BlockCodec", "BlockStore", "BlockCache", "FlistImage"]),
        tests("FUSESession", ["Support", "CLinux"]),
        tests("Keeper", ["Support"]),
        tests(
            "FlistFileSystem",
            [
                "Support", "CLinux", "BlockCodec", "BlockStore", "BlockCache", "FlistImage", "FlistContent",
                "FlistTools", "FUSESession", "flist",
            ]),
        tests(
            "FlistTools",
            ["Support", "BlockCodec", "BlockStore", "BlockCache", "FlistImage", "FlistContent", "flist"]),
        tests("Volumes", ["Support", "FUSESession", .product(name: "Logging", package: "swift-log")]),
        tests("ZBus", ["Support", "Redis", .product(name: "Logging", package: "swift-log")]),
        tests(
            "FlistManager",
            [
                "Support", "CLinux", "BlockStore", "FlistTools", "Volumes", "ZBus", "Hub",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "flistTests", dependencies: ["TestSupport", "Support", "Telemetry", "flist"],
            swiftSettings: testSettings),
        .testTarget(
            name: "flistdTests",
            dependencies: [
                "TestSupport", "Support", "BlockStore", "FlistTools", "ZBus", "flist", "flistd",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: testSettings),
    ]
)
