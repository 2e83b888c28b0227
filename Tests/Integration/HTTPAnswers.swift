// What a gateway answers over HTTP, for tests that look at it from outside.

import Foundation
import TestSupport
import Testing

/// A gateway's HTTP server, by the port that it logged.
struct StatusPort {
  let port: Int
  var url: String { "http://127.0.0.1:\(port)" }

  init(_ gateway: RunningGateway) async throws {
    try await gateway.says("status page at")
    let line = try #require(try gateway.log.first { $0.contains("status page at") })
    port = try #require(line.firstMatch(of: /127\.0\.0\.1:(\d+)\//).flatMap { Int($0.1) })
  }

  func get(_ path: String) throws -> HTTPAnswer { try HTTPExchange.ask(port, path) }

  /// /status.json as the tests look at it.
  func status() throws -> StatusJSON {
    try StatusJSON(object: JSONSerialization.jsonObject(with: Data(try get("/status.json").body.utf8)))
  }
}

/// A JSON document, by paths such as `pipeline.tables.rejected`.
struct StatusJSON {
  let object: Any

  subscript(path: String) -> Any? {
    path.split(separator: ".").reduce(Optional(object)) { ($0 as? [String: Any])?[String($1)] }
  }

  func int(_ path: String) -> Int? { self[path] as? Int }
  func text(_ path: String) -> String? { self[path] as? String }
}
