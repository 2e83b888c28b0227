// Times for people: in logs, in the status, and where the journal is shown.

import Glibc

/// `2023-11-14T22:13:20Z`, or `2023-11-14T22:13:20.123Z` where milliseconds matter. A time whose year has no four digits
/// is told in ms.
///
/// - Parameter ms: milliseconds since 1970-01-01 UTC.
public func utcText(_ ms: Int64, showsMs: Bool = false) -> String {
  var (seconds, thousandths) = ms.quotientAndRemainder(dividingBy: 1000)
  if thousandths < 0 {
    seconds -= 1
    thousandths += 1000
  }
  var utc = tm()
  guard gmtime_r([time_t(seconds)], &utc) != nil, (0...9999).contains(Int(utc.tm_year) + 1900) else {
    return "\(ms) ms"
  }
  let date = "\(digits(utc.tm_year + 1900, 4))-\(digits(utc.tm_mon + 1, 2))-\(digits(utc.tm_mday, 2))"
  let time = "\(digits(utc.tm_hour, 2)):\(digits(utc.tm_min, 2)):\(digits(utc.tm_sec, 2))"
  return "\(date)T\(time)\(showsMs ? ".\(digits(CInt(thousandths), 3))" : "")Z"
}

private func digits(_ number: CInt, _ count: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(count - text.count, 0)) + text
}
