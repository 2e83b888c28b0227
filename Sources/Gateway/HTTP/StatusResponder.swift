// What each request is answered with.
//
// Invariants:
// - A request is answered only if it names this machine, or an address: a page elsewhere whose name was made to point
//   here (DNS rebinding) still names itself, and an address cannot be made to point anywhere else.
// - Nothing but GET and HEAD, and nothing with a body. Nothing a client sends is stored or logged.

import Glibc
import HTTPTypes
import Hummingbird
import NIOCore

struct StatusResponder: HTTPResponder {
  let board: StatusBoard
  /// The host of `http.listen`.
  let listenHost: String

  func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
    var response = answer(to: request)
    // As GET, with the length of the body that it leaves out (RFC 9110, section 9.3.2).
    if request.method == .head { response = response.createHeadResponse() }
    response.headers[.cacheControl] = "no-store"
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    response.headers[.referrerPolicy] = "no-referrer"
    return response
  }

  private func answer(to request: Request) -> Response {
    // Who looks at the first of two, and who at the last, would see two requests (RFC 9112, section 3.2).
    if request.headers[.host] != nil { return text(.badRequest, "There is more than one Host.\n") }
    guard isLocal(request.head.authority) else {
      return text(
        .misdirectedRequest,
        "Only requests to localhost, an address, or the host of http.listen are answered. Check the URL.\n")
    }
    if hasBody(request) { return text(.contentTooLarge, "A request has no body here.\n") }
    guard [.get, .head].contains(request.method) else {
      var response = text(.methodNotAllowed, "There is only GET here.\n")
      response.headers[.allow] = "GET, HEAD"
      return response
    }
    switch request.uri.path {
    case "/": return statusPage()
    case "/metrics":
      return body(board.latest.metrics.utf8, type: "text/plain; version=0.0.4; charset=utf-8")
    case "/status.json": return body(board.latestJSON, type: "application/json")
    case "/-/healthy": return text(.ok, "The gateway runs.\n")
    case "/-/ready": return readiness()
    default: return text(.notFound, "There is /, /metrics, /status.json, /-/healthy and /-/ready.\n")
    }
  }

  // MARK: Refusals

  private func isLocal(_ authority: String?) -> Bool {
    guard let authority else { return false }
    let host = hostName(of: authority).lowercased()
    return ["localhost", bracketed(listenHost).lowercased()].contains(host) || isAddress(host)
  }

  private func isAddress(_ host: String) -> Bool {
    var address = in6_addr()
    if host.hasPrefix("["), host.hasSuffix("]") {
      return inet_pton(AF_INET6, String(host.dropFirst().dropLast()), &address) == 1
    }
    return inet_pton(AF_INET, host, &address) == 1
  }

  /// Without the port (RFC 3986, section 3.2).
  private func hostName(of authority: String) -> Substring {
    guard let colon = authority.lastIndex(of: ":"), authority.last != "]",
      authority[authority.index(after: colon)...].allSatisfy({ ("0"..."9").contains($0) })
    else { return authority[...] }
    return authority[..<colon]
  }

  private func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }

  private func hasBody(_ request: Request) -> Bool {
    if request.headers[.transferEncoding] != nil { return true }
    return request.headers[.contentLength].map { $0 != "0" } ?? false
  }

  // MARK: Answers

  private func readiness() -> Response {
    if let reason = board.latest.notReadyReason { return text(.serviceUnavailable, reason + "\n") }
    return text(.ok, "The gateway takes messages.\n")
  }

  private func statusPage() -> Response {
    let nonce =
      String(UInt64.random(in: .min ... .max), radix: 36)
      + String(UInt64.random(in: .min ... .max), radix: 36)
    var response = body(StatusPage.html(nonce: nonce).utf8, type: "text/html; charset=utf-8")
    response.headers[.contentSecurityPolicy] =
      "default-src 'none'; connect-src 'self'; img-src data:; script-src 'nonce-\(nonce)'; style-src 'nonce-\(nonce)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return response
  }

  private func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
    var response = body(text.utf8, type: "text/plain; charset=utf-8")
    response.status = status
    return response
  }

  private func body(_ bytes: some Sequence<UInt8>, type: String) -> Response {
    Response(
      status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
  }
}

extension HTTPField.Name {
  // All names are valid.
  fileprivate static let host = HTTPField.Name("Host").unsafelyUnwrapped
  fileprivate static let crossOriginResourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")
    .unsafelyUnwrapped
  fileprivate static let referrerPolicy = HTTPField.Name("Referrer-Policy").unsafelyUnwrapped
}

extension GatewayStatus {
  /// Why the gateway takes no messages; nil if it does.
  var notReadyReason: String? {
    phase == .running && connection.state.takesMessages ? nil : health.headline
  }
}
