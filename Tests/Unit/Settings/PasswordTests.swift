import Testing

@testable import Settings

@Suite struct PasswordTests {
  @Test func `Without a file there is no password`() throws {
    #expect(try Settings.MQTT().readPassword() == nil)
  }

  @Test(arguments: [
    ("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"),
    ("two words \nignored\n", "two words "),
  ])
  func `The password is the first line of its file`(text: String, password: String) throws {
    let folder = try SettingsFolder()
    var mqtt = Settings.MQTT()
    mqtt.passwordFile = try folder.file("password", text)

    #expect(try mqtt.readPassword() == password)
  }

  @Test(arguments: ["", "\n", "\nsecret\n"])
  func `A file without a password is refused`(text: String) throws {
    let folder = try SettingsFolder()
    var mqtt = Settings.MQTT()
    let file = try folder.file("password", text)
    mqtt.passwordFile = file

    let error = #expect(throws: SettingsError.self) { try mqtt.readPassword() }
    #expect(error?.problems.count == 1)
    #expect(
      error?.description.hasPrefix("\(file): mqtt.password_file: cannot be read: its first line is empty;")
        == true)
  }

  @Test func `A file that is gone is told with the reason`() {
    var mqtt = Settings.MQTT()
    mqtt.passwordFile = "/nowhere"

    let error = #expect(throws: SettingsError.self) { try mqtt.readPassword() }
    #expect(error?.description.contains("cannot be read: No such file or directory") == true)
  }
}
