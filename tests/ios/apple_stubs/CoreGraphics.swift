@_exported import Foundation

func stub() -> Never { fatalError("a declaration for type-checking only") }

// Core Foundation's types are others than Foundation's with Apple's SDK; here a forgotten bridge
// between the two goes unnoticed.
public typealias CFString = NSString
public typealias CFData = NSData
public typealias CFMutableData = NSMutableData
public typealias CFDictionary = NSDictionary

public final class CGColorSpace {
    public static var sRGB: CFString { stub() }
    public init?(name: CFString) { stub() }
}

public final class CGDataProvider {
    public init?(data: CFData) { stub() }
}

public enum CGImageAlphaInfo: UInt32 {
    case none, premultipliedLast, premultipliedFirst, last, first, noneSkipLast, noneSkipFirst
    case alphaOnly
}

public struct CGBitmapInfo: OptionSet {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static var alphaInfoMask: CGBitmapInfo { stub() }
}

public enum CGColorRenderingIntent { case defaultIntent }
public enum CGInterpolationQuality { case none, low, medium, high }

public final class CGImage {
    public init?(
        width: Int, height: Int, bitsPerComponent: Int, bitsPerPixel: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: CGBitmapInfo, provider: CGDataProvider,
        decode: UnsafePointer<CGFloat>?, shouldInterpolate: Bool, intent: CGColorRenderingIntent
    ) { stub() }
    public var width: Int { stub() }
    public var height: Int { stub() }
    public var bitsPerComponent: Int { stub() }
    public var bitsPerPixel: Int { stub() }
    public var bytesPerRow: Int { stub() }
    public var colorSpace: CGColorSpace? { stub() }
    public var alphaInfo: CGImageAlphaInfo { stub() }
    public var bitmapInfo: CGBitmapInfo { stub() }
    public var dataProvider: CGDataProvider? { stub() }
    public var decode: UnsafePointer<CGFloat>? { stub() }
    public var renderingIntent: CGColorRenderingIntent { stub() }
    public func cropping(to rect: CGRect) -> CGImage? { stub() }
}

public struct CGAffineTransform {
    public init(
        a: CGFloat, b: CGFloat, c: CGFloat, d: CGFloat, tx: CGFloat, ty: CGFloat
    ) { stub() }
}

public final class CGContext {
    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int,
        bytesPerRow: Int, space: CGColorSpace, bitmapInfo: UInt32
    ) { stub() }
    public var interpolationQuality: CGInterpolationQuality {
        get { stub() }
        set { stub() }
    }
    public func concatenate(_ transform: CGAffineTransform) { stub() }
    public func draw(_ image: CGImage, in rect: CGRect) { stub() }
    public func setAlpha(_ alpha: CGFloat) { stub() }
    public func makeImage() -> CGImage? { stub() }
}
