// The status page: one file, HTTP/status.html, that is compiled into the program.

enum StatusPage {
  private static let template = String(decoding: PackageResources.status_html, as: UTF8.self)

  /// The page, its style and script marked with the nonce of the response's Content-Security-Policy.
  static func html(nonce: String) -> String {
    template.split(separator: "{{nonce}}", omittingEmptySubsequences: false).joined(separator: nonce)
  }
}
