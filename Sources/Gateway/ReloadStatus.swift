// What became of the last change of settings and of the customer files, for whoever shows how the gateway is doing.

import Synchronization

/// Whether the gateway runs with what the operator last wrote.
public struct ReloadStatus: Equatable, Sendable {
  /// When settings were last read again (SIGHUP); nil if they never were.
  public var last: GatewayStatus.Reload?
  /// Whether the customer files could be used when they were last looked at; nil without `customers.path`.
  /// If not, the customers known before are in force.
  public var areCustomerFilesGood: Bool?

  /// What is wrong, in a few words; nil: nothing.
  var remark: String? {
    let problems = [
      last?.isGood == false ? "the last settings read are wrong, those before hold" : nil,
      areCustomerFilesGood == false ? "the customer files cannot be used, the customers before hold" : nil,
    ]
    let told = problems.compactMap(\.self)
    return told.isEmpty ? nil : told.joined(separator: "; ")
  }
}

/// The present status, written by those who reload and read by any thread.
public final class ReloadStatusBoard: Sendable {
  private let kept = Mutex(ReloadStatus())

  public var status: ReloadStatus { kept.withLock { $0 } }

  func update(_ change: (inout ReloadStatus) -> Void) { kept.withLock { change(&$0) } }
}
