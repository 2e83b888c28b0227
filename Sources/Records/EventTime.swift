// Time as records carry it. Any 64-bit integer is a time, so sums saturate instead of trapping.

/// A point in event time: milliseconds since 1970-01-01 UTC.
@frozen public struct EventTime: Comparable, Hashable, Sendable {
  public let ms: Int64

  @inlinable public init(ms: Int64) { self.ms = ms }

  /// Before every reading.
  public static let distantPast = EventTime(ms: .min)
  /// After every reading.
  public static let distantFuture = EventTime(ms: .max)

  @inlinable public static func < (a: EventTime, b: EventTime) -> Bool { a.ms < b.ms }

  /// The time `durationMs` later, or the last (first) time there is.
  @inlinable public func advanced(byMs durationMs: Int64) -> EventTime {
    let (sum, overflow) = ms.addingReportingOverflow(durationMs)
    return EventTime(ms: overflow ? (durationMs > 0 ? .max : .min) : sum)
  }
}

/// A customer's number in the consent index, in order of first arrival.
@frozen public struct CustomerID: Hashable, Sendable {
  public let raw: UInt32
  @inlinable public init(_ raw: UInt32) { self.raw = raw }
}

/// A serial number's number in the consent index, in order of first claim.
@frozen public struct SerialID: Hashable, Sendable {
  public let raw: UInt32
  @inlinable public init(_ raw: UInt32) { self.raw = raw }
}

/// From which event times on a serial number's step trainer readings are covered.
@frozen public struct Coverage: Equatable, Sendable {
  /// From here on a curated claimant's consent covers them.
  public let curatedFrom: EventTime
  /// From here on some claimant's consent would, once it is curated.
  public let consentedFrom: EventTime

  @inlinable public init(curatedFrom: EventTime, consentedFrom: EventTime) {
    self.curatedFrom = curatedFrom
    self.consentedFrom = consentedFrom
  }

  /// Nobody consents.
  public static let none = Coverage(curatedFrom: .distantFuture, consentedFrom: .distantFuture)

  /// What a step trainer reading of this time is judged to be.
  @inlinable public func verdict(at time: EventTime) -> Verdict {
    if consentedFrom == .distantFuture { return .noConsent }
    if time >= curatedFrom && curatedFrom != .distantFuture { return .trusted }
    return time >= consentedFrom ? .held : .beforeConsent
  }
}

/// Each customer's consent date, for the join, which may not know the consent index.
@frozen public struct ConsentDates {
  @usableFromInline let first: UnsafeRawPointer
  @usableFromInline let stride: Int
  @usableFromInline let mode: ConsentMode

  /// - Parameter first: the date (Int64 milliseconds, `.max` for no consent) of customer 0.
  @inlinable public init(first: UnsafeRawPointer, stride: Int, mode: ConsentMode) {
    self.first = first
    self.stride = stride
    self.mode = mode
  }

  /// From this time on the customer's readings are covered.
  @inlinable public subscript(customer: CustomerID) -> EventTime {
    mode.start(EventTime(ms: first.load(fromByteOffset: Int(customer.raw) * stride, as: Int64.self)))
  }
}

/// How the consent date is applied.
@frozen public enum ConsentMode: String, CaseIterable, Sendable {
  /// A reading is covered if its own time is not before the consent date.
  case enforce
  /// Any reading of a consenting customer is covered.
  case presence

  /// From when on readings are covered by a consent of this date (`.distantFuture` is no consent).
  @inlinable public func start(_ date: EventTime) -> EventTime {
    self == .presence && date != .distantFuture ? .distantPast : date
  }
}
