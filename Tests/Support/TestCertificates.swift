// A certificate authority of a test's own, made with openssl in a temporary folder.

import Foundation

/// A server certificate for 127.0.0.1 and localhost and a client certificate, both signed by an authority
/// that nobody else has. The files go when this is released.
public final class TestCertificates {
  /// The authority's certificate: what a client must trust.
  public var caFile: String { folder + "/ca.crt" }
  /// The broker's certificate and its key.
  public var serverFile: String { folder + "/server.crt" }
  public var serverKeyFile: String { folder + "/server.key" }
  /// A client's certificate and its key.
  public var clientFile: String { folder + "/client.crt" }
  public var clientKeyFile: String { folder + "/client.key" }
  private let folder: String

  /// Makes the authority and both certificates. `serverNames` is the server's subjectAltName; with
  /// `serverDays` of -1 its certificate expired yesterday.
  public init(serverNames: String = "IP:127.0.0.1,DNS:localhost", serverDays: Int = 2) throws {
    folder = try temporaryFolder("stepgate-tls")
    try openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=stepgate-test-ca",
      "-keyout", folder + "/ca.key", "-out", caFile)
    let server = "subjectAltName=\(serverNames)"
    try sign("server", subject: "/CN=stepgate-test-server", extensions: server, days: serverDays)
    try sign(
      "client", subject: "/CN=stepgate-test-client", extensions: "extendedKeyUsage=clientAuth", days: 2)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func sign(_ name: String, subject: String, extensions: String, days: Int) throws {
    let path = folder + "/" + name
    try openssl(
      "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj \(subject)",
      "-keyout", path + ".key", "-out", path + ".csr")
    try extensions.write(toFile: path + ".ext", atomically: true, encoding: .utf8)
    try openssl(
      "x509 -req -days \(days) -CAcreateserial", "-in", path + ".csr", "-CA", caFile, "-CAkey",
      folder + "/ca.key",
      "-extfile", path + ".ext", "-out", path + ".crt")
  }

  private func openssl(_ command: String, _ arguments: String...) throws {
    try ChildProcess.run("/usr/bin/openssl", command.split(separator: " ").map(String.init) + arguments)
  }
}
