// What the ingest loop needs of a client, so that a simulation can put a broker of its own behind it.

import Mosquitto

/// A connection to a broker, driven in turns by one thread. `Client` says what each call does, and what its
/// delegate may rely on.
public protocol BrokerConnection: AnyObject {
  var delegate: (any ClientDelegate)? { get set }
  var isConnected: Bool { get }
  /// -1 without a connection.
  var socket: Int32 { get }
  var wantsWrite: Bool { get }

  func connect() throws(MosquittoError)
  func subscribe(_ filters: [String]) throws(MosquittoError)
  func wait(timeoutMs: Int, forWriting: Bool, wakeup: Int32) -> Readiness
  @discardableResult func readTurn(maxMessages: Int) -> ReadTurnOutcome
  func checkAcknowledgementsWithheld() throws(MosquittoError)
  func writeTurn()
  func housekeepingTurn()
  func disconnect()
}

extension Client: BrokerConnection {}
