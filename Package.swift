// swift-tools-version: 6.2
import PackageDescription

// The targets stand in the order in which a reading flows through them; each may import only those
// above it (ARCHITECTURE.md, "Modules").

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
  // Debug builds, and so all tests, check exclusive access; in release the checks cost a tenth of the
  // time a record (measured with perf: swift_beginAccess and what it calls).
  .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// Only `make bench` asks for it; whoever uses the package does not build it.
let benchmarks: [Target] =
  Context.environment["STEPGATE_BENCH"] == nil
  ? []
  : [
    .executableTarget(
      name: "StepgateBench", dependencies: ["CMallocCount", "TestSupport", "Consent", "Records"],
      path: "Benchmarks/StepgateBench", swiftSettings: strict)
  ]

let package = Package(
  name: "stepgate",
  products: [.executable(name: "stepgate", targets: ["stepgate"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.1"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .systemLibrary(name: "CMosquitto", pkgConfig: "libmosquitto", providers: [.apt(["libmosquitto-dev"])]),
    .target(
      name: "CFastPath", cxxSettings: [.unsafeFlags(["-fno-exceptions"])],
      linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "Mosquitto", dependencies: ["CMosquitto"], swiftSettings: strict),
    .target(name: "Threads", swiftSettings: strict),
    .target(name: "Records", dependencies: ["CFastPath"], swiftSettings: strict),
    .target(name: "Storage", dependencies: ["CFastPath"], swiftSettings: strict),
    .target(name: "Journal", dependencies: ["Storage"], swiftSettings: strict),
    .target(name: "SegmentLog", dependencies: ["Storage"], swiftSettings: strict),
    .target(name: "Consent", dependencies: ["CFastPath", "Records"], swiftSettings: strict),
    .target(name: "Join", dependencies: ["CFastPath", "Records"], swiftSettings: strict),
    .target(
      name: "Pipeline",
      dependencies: ["CFastPath", "Threads", "Records", "Storage", "SegmentLog", "Consent", "Join"],
      swiftSettings: strict),
    .target(
      name: "Playback",
      dependencies: ["Threads", "Records", "Storage", "Journal", "SegmentLog", "Join", "Pipeline"],
      swiftSettings: strict),
    .target(
      name: "Ingest", dependencies: ["Mosquitto", "Threads", "Records", "Storage", "Journal", "Playback"],
      swiftSettings: strict),
    .target(name: "Simulator", dependencies: ["Mosquitto"], swiftSettings: strict),
    .target(
      name: "Settings",
      dependencies: [
        "Records", "Join", "Yams",
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .target(
      name: "Service",
      dependencies: ["Threads", "Storage", "Settings", .product(name: "Logging", package: "swift-log")],
      swiftSettings: strict),
    .target(
      name: "Gateway",
      dependencies: [
        "Mosquitto", "Threads", "Records", "Storage", "Journal", "SegmentLog", "Pipeline", "Playback",
        "Ingest", "Settings", "Service",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      resources: [.embedInCode("HTTP/status.html")],
      swiftSettings: strict),
    .executableTarget(
      name: "stepgate",
      dependencies: [
        "CFastPath", "Mosquitto", "Threads", "Records", "Storage", "Journal", "SegmentLog", "Join",
        "Pipeline", "Playback", "Simulator", "Settings", "Service", "Gateway",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .target(name: "CMallocCount", path: "Tests/CMallocCount"),
    .target(name: "CSpawn", path: "Tests/CSpawn"),
    .target(
      name: "TestSupport",
      dependencies: [
        "CMallocCount", "CSpawn", "Mosquitto", "Records", "Storage", "Journal", "Pipeline", "Playback",
        "Ingest",
      ],
      path: "Tests/Support", swiftSettings: strict),
    .testTarget(
      name: "UnitTests",
      dependencies: [
        "TestSupport", "Mosquitto", "Threads", "Records", "Storage", "Journal", "SegmentLog", "Consent",
        "Join", "Pipeline", "Playback", "Ingest", "Simulator", "Settings", "Service", "Gateway", "stepgate",
        .product(name: "Logging", package: "swift-log"),
      ],
      path: "Tests/Unit", swiftSettings: strict),
    .testTarget(
      name: "PropertyTests", dependencies: ["TestSupport", "Records", "Consent", "Join", "Pipeline"],
      path: "Tests/Property", swiftSettings: strict),
    .testTarget(
      name: "SimulationTests",
      dependencies: [
        "TestSupport", "Mosquitto", "Threads", "Records", "Storage", "Journal", "SegmentLog", "Consent",
        "Join", "Pipeline", "Playback", "Ingest",
      ],
      path: "Tests/Simulation", swiftSettings: strict),
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        "TestSupport", "Mosquitto", "Storage", "Journal", "SegmentLog", "Simulator", "stepgate",
      ],
      path: "Tests/Integration", swiftSettings: strict),
  ] + benchmarks,
  cxxLanguageStandard: .cxx17
)

// libFuzzer wants every module instrumented, so its program is there only for "make fuzz".
if Context.environment["STEPGATE_FUZZ"] != nil {
  package.targets += [
    .target(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
    .executableTarget(
      name: "fuzz",
      dependencies: [
        "CLibFuzzer", "TestSupport", "Records", "Storage", "Journal", "SegmentLog", "Consent", "Join",
        "Pipeline", "Playback", "Ingest",
      ],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),
  ]
}
