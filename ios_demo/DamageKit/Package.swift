// swift-tools-version: 5.9
// Read by Swift 5.9 and 5.10. Swift 6 and later read Package@swift-6.0.swift instead.

import PackageDescription

let package = Package(
    name: "DamageKit",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "DamageKit", targets: ["DamageKit"])
    ],
    targets: [
        .target(
            name: "DamageKit",
            swiftSettings: [.enableExperimentalFeature("StrictConcurrency")]
        ),
        .testTarget(
            name: "DamageKitTests",
            dependencies: ["DamageKit"],
            resources: [.copy("Golden")]
        ),
    ]
)
