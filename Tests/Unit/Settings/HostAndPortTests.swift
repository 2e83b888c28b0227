import Testing

@testable import Settings

@Suite struct HostAndPortTests {
  @Test(arguments: [
    ("127.0.0.1:9464", "127.0.0.1", 9464), ("localhost:0", "localhost", 0), ("[::1]:65535", "::1", 65_535),
    ("[fe80::1]:1", "fe80::1", 1), ("broker-1.example:1883", "broker-1.example", 1883),
    ("step_gate:80", "step_gate", 80),
  ])
  func `A host with a port is read and written alike`(text: String, host: String, port: Int) throws {
    let value = try #require(HostAndPort(text))

    #expect(value == HostAndPort(host: host, port: port))
    #expect(value.description == text)
  }

  @Test(arguments: [
    "", ":", "host", "host:", ":1883", "host:65536", "host:-1", "host:+1", "host:x", "host:1883 ", "::1:1883",
    "[::1]",
    "[::1]1883", "[::1", "[host]:1883", "[]:1883", "a b:1", "http://host:1", "a..b:1", "user@host:1",
    "host:1:2",
    "host:99999999999999999999", "hóst:1",
  ])
  func `Anything else is refused`(text: String) {
    #expect(HostAndPort(text) == nil)
  }

  @Test func `An IPv6 address is a host without brackets`() {
    #expect(isHost("::1"))
    #expect(isHost("2001:db8::1"))
    #expect(!isHost("[::1]"))
    #expect(!isHost("::g"))
    #expect(!isHost(String(repeating: "a", count: 254)))
  }
}
