// What the disk said, inside the errors of the gateway's parts.

import Ingest
import Journal
import Playback
import SegmentLog
import Storage

/// The file operation that failed and made `error`; nil if something else did.
func storageError(in error: any Error) -> StorageError? {
  switch error {
  case let error as StorageError: error
  case let error as RecoveryError: storageError(in: error)
  case let error as IngestError: storageError(in: error)
  case let error as PlayError: storageError(in: error)
  case let error as CustomerFileError: storageError(in: error)
  default: nil
  }
}

private func storageError(in error: RecoveryError) -> StorageError? {
  switch error {
  case .storage(let error), .journal(.storage(let error)), .checkpoint(.storage(let error)),
    .tables(.storage(let error)):
    error
  case .play(let error): storageError(in: error)
  case .journal, .checkpoint, .tables, .noState: nil
  }
}

private func storageError(in error: IngestError) -> StorageError? {
  switch error {
  case .storage(let error): error
  case .engine(let error): storageError(in: error)
  case .customers(.storage(let error)): error
  case .mosquitto, .customers: nil
  }
}

private func storageError(in error: PlayError) -> StorageError? {
  switch error {
  case .tables(.storage(let error)), .checkpoint(let error): error
  case .tables, .unreadableSettings: nil
  }
}

private func storageError(in error: CustomerFileError) -> StorageError? {
  switch error {
  case .input(.storage(let error)), .journal(let error): error
  case .engine(let error): storageError(in: error)
  case .input: nil
  }
}
