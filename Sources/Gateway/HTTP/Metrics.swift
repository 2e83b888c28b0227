// The status as Prometheus reads it: text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
//
// Invariants:
// - Units are base units, sums end in `_total`, and every metric has HELP and TYPE.
// - What is not known yet has no sample: a sum that began at 0 and jumped would look like traffic.

extension GatewayStatus {
  /// The body of /metrics.
  var metrics: String {
    // Until the journal is played the zeros of these sections mean nothing.
    let unknown = pipeline == nil ? ["journal.", "checkpoint."] : []
    var text = ""
    var lastName: Substring = ""
    for figure in Figure.all where !unknown.contains(where: figure.path.hasPrefix) {
      let name = figure.metric.prefix { $0 != "{" }
      for (labels, value) in figure.samples(self) {
        if name != lastName {
          let kind = name.hasSuffix("_total") ? "counter" : "gauge"
          text += "# HELP \(name) \(figure.help)\n# TYPE \(name) \(kind)\n"
        }
        lastName = name
        text += (labels.isEmpty ? figure.metric : "\(name){\(labels)}") + " \(figure.unit.text(value))\n"
      }
    }
    return text
  }
}

extension Figure.Unit {
  // A whole number without ".0" and without an exponent, as far as `Double` holds whole numbers exactly.
  fileprivate func text(_ value: Double) -> String {
    let value = self == .duration || self == .time ? value / 1000 : value
    return value == value.rounded() && abs(value) < 9e15 ? "\(Int64(value))" : "\(value)"
  }
}
