// What ARCHITECTURE.md says of the modules, beside what Package.swift and the sources say: a module that imports what
// the table does not allow is a fault, and so is a table that allows what nobody imports.

import Foundation
import Testing

@Suite struct ModuleImportsTests {
  private struct Module: Equatable {
    let name: String
    let imports: Set<String>
  }

  /// Modules of the system, which any may import; Consent and Join, which are pure, import none.
  private static let system: Set<String> = ["Dispatch", "Glibc", "Synchronization"]

  private static func text(_ path: String) throws -> String {
    let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
    return try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The table's rows, in its order.
  private static func documented() throws -> [Module] {
    let section = try #require(try text("ARCHITECTURE.md").components(separatedBy: "\n## Modules").last)
    let rows = section.split(separator: "\n").drop { !$0.hasPrefix("| ---") }.dropFirst()
      .prefix { $0.hasPrefix("|") }
    return rows.map { row in
      let cells = row.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      let imports = cells[3].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      return Module(name: cells[1], imports: Set(imports))
    }
  }

  /// The targets of Package.swift whose sources lie in Sources, in its order.
  private static func declared() throws -> [Module] {
    let package = try text("Package.swift")
    let library = try #require(package.firstMatch(of: /\.systemLibrary\(name: "(\w+)"/))
    let targets = package.components(separatedBy: "arget(").dropFirst().compactMap { call -> Module? in
      let target = call.components(separatedBy: "swiftSettings:")[0]
      guard !target.contains("path:"), let name = target.firstMatch(of: /name: "(\w+)"/)?.1 else {
        return nil
      }
      let rest = target.components(separatedBy: "dependencies: [").dropFirst().first ?? ""
      let names = rest.replacing(/\.product\(name: ("\w+"), package: "[^"]+"\)/) { $0.1 }.prefix { $0 != "]" }
      return Module(name: String(name), imports: Set(names.matches(of: /"(\w+)"/).map { String($0.1) }))
    }
    return [Module(name: String(library.1), imports: [])] + targets
  }

  private static func imported(_ module: String) throws -> Set<String> {
    let root = URL(filePath: #filePath).appending(path: "../../../../Sources/\(module)").standardized
    let paths = try #require(FileManager.default.subpaths(atPath: root.path)).filter {
      $0.hasSuffix(".swift")
    }
    var imports: Set<String> = []
    for path in paths {
      let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
      for line in text.matches(of: /(?m)^(?:@\w+ |public )*import (?:\w+ )?(\w+)/) {
        imports.insert(String(line.1))
      }
    }
    return imports
  }

  @Test func `The table has the targets of the package, in its order, each behind all that it imports`()
    throws
  {
    let documented = try Self.documented()
    #expect(documented.count > 15)
    #expect(documented.map(\.name) == (try Self.declared().map(\.name)))
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: URL(filePath: #filePath).appending(path: "../../../../Sources").standardized.path)
    #expect(Set(folders) == Set(documented.map(\.name)))
    var above: Set<String> = []
    let own = Set(documented.map(\.name))
    for module in documented {
      #expect(module.imports.intersection(own).isSubset(of: above), "\(module.name)")
      above.insert(module.name)
    }
  }

  @Test func `A target depends on what the table allows, and on nothing else`() throws {
    // Part of Swift's own libraries, which no package names.
    let swift: Set<String> = ["FoundationEssentials"]
    let documented = try Self.documented()
    for (one, other) in zip(documented, try Self.declared()) {
      #expect(one.imports.subtracting(swift) == other.imports, "\(one.name)")
    }
  }

  @Test func `Sources import what the table allows, and all of it`() throws {
    for module in try Self.documented() where !module.name.hasPrefix("C") || module.name == "Consent" {
      let isPure = ["Consent", "Join"].contains(module.name)
      let imports = try Self.imported(module.name).subtracting(isPure ? [] : Self.system)
      #expect(imports == module.imports, "\(module.name)")
    }
  }
}
