// What must hold between settings and between settings and the world. Each rule speaks only where the
// values it compares were readable in themselves.

extension SettingsLoader {
  mutating func checkCombinations() {
    checkRetention()
    checkTopics()
    checkCredentials()
    checkTLS()
  }

  /// A reading that is forgotten before its partner may come could never pair.
  private mutating func checkRetention() {
    let join = settings.join
    guard areUsable("join.retention", "join.tolerance"), join.retentionMs < join.toleranceMs else { return }
    let retention = durationText(ms: join.retentionMs)
    let tolerance = durationText(ms: join.toleranceMs)
    // Of two defaults neither is wrong; so one of the two was given, and that one is named.
    if source(of: "join.retention") == .defaults {
      refuse(
        "join.tolerance", given: tolerance, "is longer than join.retention (\(retention))",
        allowed: "at most join.retention")
    } else {
      refuse(
        "join.retention", given: retention, "is shorter than join.tolerance (\(tolerance))",
        allowed: "at least join.tolerance")
    }
  }

  /// A topic that two filters match would have two kinds of records.
  private mutating func checkTopics() {
    let filters = [
      ("topics.customer", settings.topics.customer),
      ("topics.accelerometer", settings.topics.accelerometer),
      ("topics.step_trainer", settings.topics.stepTrainer),
    ]
    for (index, (key, filter)) in filters.enumerated() {
      for (other, otherFilter) in filters[..<index]
      where areUsable(key, other) && topicFiltersOverlap(filter, otherFilter) {
        let isDefault = source(of: key) == .defaults
        refuse(
          isDefault ? other : key, given: isDefault ? otherFilter : filter,
          "can match the same topic as \(isDefault ? key : other)",
          allowed: "filters that no topic matches twice")
      }
    }
  }

  private mutating func checkCredentials() {
    if let file = settings.mqtt.passwordFile, settings.mqtt.username == nil, areUsable("mqtt.username") {
      refuse(
        "mqtt.password_file", given: file, "is set without mqtt.username", allowed: "both or only the name")
    }
  }

  private mutating func checkTLS() {
    let tls = settings.mqtt.tls
    let (ca, certificate, key) = ("mqtt.tls.ca_file", "mqtt.tls.certificate_file", "mqtt.tls.key_file")
    guard areUsable(ca, certificate, key) else { return }
    for (name, file, partner, partnerFile) in [
      (certificate, tls.certificateFile, key, tls.keyFile),
      (key, tls.keyFile, certificate, tls.certificateFile),
    ] {
      guard let file else { continue }
      if partnerFile == nil {
        refuse(name, given: file, "is set without \(partner)", allowed: "both or neither")
      } else if tls.caFile == nil {
        refuse(name, given: file, "is set without \(ca)", allowed: "TLS is on when \(ca) is set")
      }
    }
  }

  /// Copies of customer files are made, and removed, in the data folder; and a data folder among customer files would be
  /// read as such.
  private mutating func checkCustomerPlace() {
    let directory = settings.storage.directory
    guard let path = settings.customers.path, areUsable("customers.path", "storage.directory"),
      pathsOverlap(path, directory)
    else { return }
    refuse(
      "customers.path", given: path, "overlaps with storage.directory (\(directory))",
      allowed: "a place outside of that folder, and not above it")
  }

  mutating func checkFiles(exceptCredentialsElsewhere: Bool) {
    checkCustomerPlace()
    let passedOver =
      exceptCredentialsElsewhere ? settings.credentialsElsewhere(environment: environment) : [:]
    let files = Setting.files.compactMap { key, file in
      settings[keyPath: file.place].map { (key: key, file: file, path: $0) }
    }.filter { areUsable($0.key) && passedOver[$0.key] == nil }
    for (key, file, path) in files {
      let mayBeFolder = file.use == .records
      // Customers may come later: the gateway waits for them.
      if mayBeFolder && isMissing(path) { continue }
      guard let reason = unreadableReason(path, mayBeFolder: mayBeFolder) else { continue }
      let allowed = mayBeFolder ? "a file or a folder that can be read" : "a file that can be read"
      refuse(key, given: path, "cannot be read: \(reason)", allowed: allowed)
    }
    // What was refused above is not worth another word.
    let readable = files.filter { areUsable($0.key) }
    for (key, _, path) in readable.filter(\.file.isSecret) {
      guard let reason = exposedReason(path) else { continue }
      refuse(
        key, given: path, reason, allowed: "a file that only its owner and group can read: chmod o= FILE")
    }
    for (key, _, path) in readable.filter(\.file.isPEM) where areUsable(key) && isEmptyFile(path) {
      refuse(key, given: path, "is empty", allowed: "a PEM file")
    }
    if areUsable("mqtt.password_file") && passedOver["mqtt.password_file"] == nil {
      do throws(SettingsError) { _ = try settings.mqtt.readPassword() } catch {
        for problem in error.problems {
          refuse(
            "mqtt.password_file", given: settings.mqtt.passwordFile, problem.problem, allowed: problem.allowed
          )
        }
      }
    }
  }
}
