// The library as a whole: started once, its version, its words for its own codes.

import CMosquitto

/// The libmosquitto this process is linked with.
public enum Library {
  /// `mosquitto_lib_init` is not thread safe; the initialiser of a global runs exactly once. Nothing
  /// cleans up: clients may live until the process ends.
  private static let initialised: Int32 = mosquitto_lib_init()

  /// The version of the library found at run time, e.g. "2.0.11".
  public static let version: String = {
    var major: Int32 = 0
    var minor: Int32 = 0
    var revision: Int32 = 0
    mosquitto_lib_version(&major, &minor, &revision)
    return "\(major).\(minor).\(revision)"
  }()

  static func initialise() throws(MosquittoError) {
    guard initialised == MOSQ_ERR_SUCCESS.rawValue else {
      throw .library(operation: "initialise", code: initialised)
    }
  }

  /// The name of an MQTT 5 reason code, e.g. "Not authorized".
  public static func reasonText(_ reasonCode: UInt8) -> String {
    String(cString: mosquitto_reason_string(Int32(reasonCode)))
  }

  static func errorText(_ code: Int32) -> String {
    String(cString: mosquitto_strerror(code))
  }
}
