// Bounds what one connection, and all of them together, may take: number, time, and bytes that nobody asked for.
//
// Hummingbird closes connections that are idle, also in the middle of a request's head. What it leaves is a client
// that sends a body forever, byte by byte or as fast as it can, and too many clients at once.

import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections that are open.
final class ConnectionCount: Sendable {
  private let count = Atomic(0)

  /// - Returns: how many there are with this one.
  func opened() -> Int { count.add(1, ordering: .relaxed).newValue }
  func closed() { count.subtract(1, ordering: .relaxed) }
}

/// One connection's guard. On its event loop.
final class ConnectionGuard: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  static let connections = 64
  // The page's own connection is opened anew once a minute.
  private static let longest = TimeAmount.seconds(60)
  private static let longestSurplus = TimeAmount.seconds(2)
  private static let bodyBytes = 4 << 20

  private let connections: ConnectionCount
  private var isSurplus = false
  private var bodyBytes = 0

  init(_ connections: ConnectionCount) { self.connections = connections }

  func handlerAdded(context: ChannelHandlerContext) {
    isSurplus = connections.opened() > Self.connections
    let channel = context.channel
    let end = context.eventLoop.scheduleTask(in: isSurplus ? Self.longestSurplus : Self.longest) {
      channel.close(promise: nil)
    }
    let connections = connections
    channel.closeFuture.whenComplete { _ in
      end.cancel()
      connections.closed()
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head where isSurplus: refuse(context)
    case .body(let bytes):
      bodyBytes += bytes.readableBytes
      if bodyBytes > Self.bodyBytes { return context.close(promise: nil) }
      if !isSurplus { context.fireChannelRead(data) }
    case .head, .end: if !isSurplus { context.fireChannelRead(data) }
    }
  }

  private func refuse(_ context: ChannelHandlerContext) {
    let text = ByteBuffer(string: "There are too many connections; try again in a moment.\n")
    let fields: HTTPFields = [
      .contentType: "text/plain; charset=utf-8", .contentLength: "\(text.readableBytes)",
      .connection: "close",
      .retryAfter: "2",
    ]
    context.write(
      wrapOutboundOut(.head(HTTPResponse(status: .serviceUnavailable, headerFields: fields))), promise: nil)
    context.write(wrapOutboundOut(.body(text)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(promise: nil)
  }
}
