// A settings file as flat keys with their texts and lines.
//
// swift-configuration has a provider for YAML files, but it tells neither lines nor unknown keys, and
// stops at the first thing it does not like. So the file is read once, here, with Yams, and handed to
// swift-configuration as a provider of what was found (Settings+Load.swift): what was checked is what
// is used.
//
// Invariant: `entries` holds known keys with a single value only; all else is in `problems`.

import Yams

struct SettingsFile {
  struct Entry {
    /// Empty where the file leaves the key empty.
    let text: String
    let line: Int
  }

  let path: String
  private(set) var entries: [String: Entry] = [:]
  private(set) var problems: [SettingsProblem] = []

  init(path: String) {
    self.path = path
    do {
      let text = try readTextFile(path)
      guard let root = try Yams.compose(yaml: text, .default, .default, .utf8), !isEmpty(root) else { return }
      if let mapping = root.mapping {
        read(mapping, section: "")
      } else {
        refuse(
          line: root.mark?.line, key: nil, "not a mapping", allowed: "sections such as mqtt: with keys below")
      }
    } catch let error as TextFileError {
      refuse(line: nil, key: nil, "cannot be read: \(error.reason)")
    } catch let error as YamlError {
      refuse(error)
    } catch {
      refuse(line: nil, key: nil, "not YAML")
    }
  }

  private mutating func read(_ mapping: Node.Mapping, section: String) {
    for (keyNode, value) in mapping {
      let line = keyNode.mark?.line
      guard let name = keyNode.scalar?.string else {
        refuse(line: line, key: section.isEmpty ? nil : section, "has a key that is not a word")
        continue
      }
      let key = section.isEmpty ? name : "\(section).\(name)"
      if name.contains(".") {
        refuse(line: line, key: key, "has a dot; allowed: each part nested below the one before it")
      } else if Setting.sections.contains(key) {
        readSection(key, value, line)
      } else if let setting = Setting.byKey[key] {
        readValue(setting, value, line)
      } else {
        refuse(line: line, key: key, unknownKeyProblem(key))
      }
    }
  }

  private mutating func readSection(_ key: String, _ value: Node, _ line: Int?) {
    switch value {
    case .mapping(let mapping): read(mapping, section: key)
    case .scalar where isEmpty(value): break
    default:
      let keys = Setting.all.map(\.key).filter { $0.hasPrefix(key + ".") }
      refuse(line: line, key: key, "is not a section", allowed: "below it " + keys.joined(separator: ", "))
    }
  }

  private mutating func readValue(_ setting: Setting, _ value: Node, _ line: Int?) {
    switch value {
    case .scalar(let scalar):
      entries[setting.key] = Entry(text: isEmpty(value) ? "" : scalar.string, line: line ?? 0)
    case .sequence: refuse(line: line, key: setting.key, "is a list", allowed: setting.allowed)
    default: refuse(line: line, key: setting.key, "is a section", allowed: setting.allowed)
    }
  }

  private func isEmpty(_ node: Node) -> Bool {
    guard case .scalar(let scalar) = node else { return false }
    // Quoted, these are words like any other.
    return scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  /// Yams' own description shows the line's text, which may hold a password; only its reason is used.
  private mutating func refuse(_ error: YamlError) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let whole = [context?.text, problem].compactMap(\.self).joined(separator: ", ")
      refuse(line: mark.line, key: nil, "not YAML: \(whole)")
    case .reader(let problem, let offset, _, let yaml):
      let line = offset.map { yaml.prefix($0).count(where: \.isNewline) + 1 }
      refuse(line: line, key: nil, "not YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.joined(separator: ", ")
      refuse(line: context.mark.line, key: nil, "more than once in one section: \(names)")
    default:
      refuse(line: nil, key: nil, "not YAML")
    }
  }

  private mutating func refuse(line: Int?, key: String?, _ problem: String, allowed: String? = nil) {
    problems.append(SettingsProblem(.file(path: path, line: line), key: key, problem, allowed: allowed))
  }
}

private func unknownKeyProblem(_ key: String) -> String {
  let known = Setting.sections + Setting.all.map(\.key)
  guard let nearest = nearestSetting(to: key, in: known) else { return "unknown key" }
  return "unknown key; did you mean \(nearest)?"
}
