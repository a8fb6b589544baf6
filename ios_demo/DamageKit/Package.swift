// swift-tools-version: 6.0

import PackageDescription

let package = Package(
    name: "DamageKit",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [
        .library(name: "DamageKit", targets: ["DamageKit"])
    ],
    targets: [
        .target(name: "DamageKit"),
        .testTarget(
            name: "DamageKitTests",
            dependencies: ["DamageKit"],
            resources: [.copy("Golden")]
        ),
    ],
    swiftLanguageModes: [.v6]
)
