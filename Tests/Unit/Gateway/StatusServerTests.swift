import Foundation
import Logging
import Settings
import Storage
import Testing
import TestSupport

@testable import Gateway

@Suite struct StatusServerTests {
  private let board: StatusBoard
  private let server: StatusServer
  private let folder: ScratchFolder
  private var port: Int { server.address.port }

  init() throws {
    folder = try ScratchFolder()
    var settings = Settings()
    settings.storage.directory = folder.path
    board = StatusBoard(settings, fileSystem: LocalFileSystem(), reloads: ReloadStatusBoard())
    server = try Self.listen(0, board)
  }

  private static func listen(_ port: Int, _ board: StatusBoard) throws -> StatusServer {
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return try StatusServer(HostAndPort(host: "127.0.0.1", port: port), board: board, log: log)
  }

  @Test func `Each address has its answer, of its type, never to be stored`() throws {
    defer { server.stop() }
    for (path, type, text) in [
      ("/", "text/html; charset=utf-8", "<title>stepgate</title>"),
      ("/status.json", "application/json", "\"phase\":\"starting\""),
      ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "stepgate_build_info{"),
      ("/-/healthy", "text/plain; charset=utf-8", "The gateway runs."),
      ("/status.json?x=1", "application/json", "\"version\""),
    ] {
      let answer = try HTTPExchange.ask(port, path)
      #expect(answer.status == 200)
      #expect(answer.headers["content-type"] == type)
      #expect(answer.headers["cache-control"] == "no-store")
      #expect(answer.headers["x-content-type-options"] == "nosniff")
      #expect(answer.body.contains(text), "\(path)")
    }
    let ready = try HTTPExchange.ask(port, "/-/ready")
    #expect(ready.status == 503)
    #expect(ready.body == "Starting.\n")
    #expect(try HTTPExchange.ask(port, "/etc/passwd").status == 404)
    #expect(try HTTPExchange.ask(port, "/../..//").status == 404)
  }

  @Test func `The page allows only its own script and style, by a nonce that is new each time`() throws {
    defer { server.stop() }
    var nonces: Set<String> = []
    for _ in 0..<2 {
      let page = try HTTPExchange.ask(port, "/")
      let policy = try #require(page.headers["content-security-policy"])
      #expect(policy.hasPrefix("default-src 'none'; connect-src 'self';"))
      #expect(policy.contains("frame-ancestors 'none'"))
      let nonce = try #require(policy.firstMatch(of: /script-src 'nonce-([0-9a-z]{20,})'/)?.1)
      #expect(page.body.contains("<script nonce=\"\(nonce)\">"))
      #expect(page.body.contains("<style nonce=\"\(nonce)\">"))
      #expect(!page.body.contains("{{"))
      #expect(page.body.firstMatch(of: /(src|href)="(https?:)?\/\//) == nil)
      nonces.insert(String(nonce))
    }
    #expect(nonces.count == 2)
  }

  @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
  func `Anything but GET and HEAD is refused`(method: String) throws {
    defer { server.stop() }
    let answer = try HTTPExchange.ask(port, "/status.json", method: method)
    #expect(answer.status == 405)
    #expect(answer.headers["allow"] == "GET, HEAD")
  }

  @Test(arguments: ["/", "/metrics", "/status.json", "/-/healthy", "/-/ready", "/nothing"])
  func `HEAD is answered as GET is, without the body`(path: String) throws {
    defer { server.stop() }
    let (get, head) = (try HTTPExchange.ask(port, path), try HTTPExchange.ask(port, path, method: "HEAD"))
    #expect(head.status == get.status)
    #expect(head.body.isEmpty && !get.body.isEmpty)
    #expect(head.headers["content-type"] == get.headers["content-type"])
    #expect(Int(head.headers["content-length"] ?? "") ?? 0 > 0)
  }

  @Test func `Of two Hosts none counts`() throws {
    defer { server.stop() }
    for second in ["localhost", "evil.example", ""] {
      let answer = try HTTPExchange.ask(port, "/status.json", headers: ["hOST: \(second)"])
      #expect(answer.status == 400, "\(second)")
      #expect(!answer.body.contains("version"))
    }
    let answer = try HTTPExchange.ask(
      port, "/status.json", host: "evil.example", headers: ["Host: localhost"])
    #expect(answer.status == 400)
  }

  // A gateway that listens on 0.0.0.0 is asked by one of its addresses.
  @Test func `Only a Host that is this machine, or an address, is answered`() throws {
    defer { server.stop() }
    for host in [
      "localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:\(port)", "[::1]", "[::1]:9464", "192.0.2.7",
      "192.0.2.7:9464", "127.0.0.2", "[::2]", "[2001:DB8::1]:9464", "[::ffff:192.0.2.7]",
    ] {
      #expect(try HTTPExchange.ask(port, "/-/healthy", host: host).status == 200, "\(host)")
    }
    for host in [
      nil, "", "evil.example", "evil.example:\(port)", "localhost.evil.example", "localhost:evil.example",
      "127.0.0.1.evil.example", "localhost@evil.example", "1.2.3", "1.2.3.4.5", "0x7f.0.0.1", "2130706433",
      "[evil.example]", "::1", "[127.0.0.1]", "[::1].evil.example", "[::1", "999.0.0.1", "[]", "[::1%lo]",
    ] {
      let answer = try HTTPExchange.ask(port, "/status.json", host: host)
      #expect(answer.status == 421 || answer.status == 400, "\(host ?? "none")")
      #expect(!answer.body.contains("version"))
    }
  }

  @Test func `A request of a megabyte is refused, wherever its bytes are`() throws {
    defer { server.stop() }
    let megabyte = String(repeating: "a", count: 1 << 20)
    let length = "Content-Length: \(megabyte.count)"
    #expect(try HTTPExchange.ask(port, "/status.json", headers: [length], body: megabyte).status == 413)
    #expect(
      try HTTPExchange.ask(port, "/", method: "POST", headers: [length], body: megabyte).status == 413)
    for request in [
      "GET /\(megabyte) HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(megabyte)\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: localhost\r\n" + String(repeating: "X: y\r\n", count: 10_000) + "\r\n",
      "no HTTP at all\r\n\r\n",
    ] {
      let exchange = try HTTPExchange(port: port)
      exchange.send(request)
      let answer = try #require(exchange.answer())
      // The rest of the request may reset the connection before the answer is read.
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 "))
    }
    #expect(try HTTPExchange.ask(port, "/-/healthy").status == 200)
  }

  @Test func `Of too many connections the surplus is told so, and the server recovers`() throws {
    defer { server.stop() }
    var idle: [HTTPExchange] = []
    for _ in 0..<ConnectionGuard.connections { idle.append(try HTTPExchange(port: port)) }
    // They are accepted in their order, so what comes after them is one too many.
    let surplus = try HTTPExchange.ask(port, "/-/healthy")
    #expect(surplus.status == 503)
    #expect(surplus.body.hasPrefix("There are too many connections"))
    // One that says nothing is let go by the server.
    #expect(try HTTPExchange(port: port).answer() == "")
    idle.removeAll()
    let deadline = ContinuousClock.now + .seconds(10)
    while try HTTPExchange.ask(port, "/-/healthy").status != 200 {
      try #require(ContinuousClock.now < deadline, "the server recovers")
    }
  }

  @Test func `A port in use is told with the way out, and one that was stopped is free again`() throws {
    let error = #expect(throws: ListenError.self) { _ = try Self.listen(port, board) }
    #expect(
      error?.description
        == "cannot listen on 127.0.0.1:\(port): another process has the port; choose another one, or set http.enabled to false"
    )
    server.stop()
    let next = try Self.listen(port, board)
    #expect(try HTTPExchange.ask(port, "/-/healthy").status == 200)
    next.stop()
  }

  @Test func `An address that is not this machine's is told`() {
    server.stop()
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let error = #expect(throws: ListenError.self) {
      _ = try StatusServer(HostAndPort(host: "203.0.113.1", port: 0), board: board, log: log)
    }
    #expect(error?.description.hasPrefix("cannot listen on 203.0.113.1:0: ") == true)
  }
}
