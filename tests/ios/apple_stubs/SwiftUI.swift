@_exported import Combine
@_exported import CoreGraphics
import UIKit
@_exported import UniformTypeIdentifiers

// Text

public struct LocalizedStringKey: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) { fatalError() }
    public init(stringInterpolation: StringInterpolation) { fatalError() }
    /// Only strings: so every key of the catalogue has `%@` and nothing else.
    public struct StringInterpolation: StringInterpolationProtocol {
        public init(literalCapacity: Int, interpolationCount: Int) { fatalError() }
        public mutating func appendLiteral(_ literal: String) { fatalError() }
        public mutating func appendInterpolation(_ value: String) { fatalError() }
    }
}

extension String {
    public typealias LocalizationValue = LocalizedStringKey
    public init(localized value: LocalizationValue) { fatalError() }
}

// Views and builders

@MainActor @preconcurrency public protocol View {
    associatedtype Body: View
    @ViewBuilder @MainActor @preconcurrency var body: Body { get }
}

extension Never: View {
    public var body: Never { return fatalError() }
}

public struct AnyStubView: View {
    public var body: Never { return fatalError() }
}

extension Optional: View where Wrapped: View {
    public var body: Never { return fatalError() }
}

public struct EmptyView: View {
    public init() { fatalError() }
    public var body: Never { return fatalError() }
}

@resultBuilder public struct ViewBuilder {
    public static func buildBlock() -> EmptyView { fatalError() }
    public static func buildBlock<each Content: View>(_ content: repeat each Content) -> AnyStubView
    { fatalError() }
    public static func buildExpression<Content: View>(_ content: Content) -> Content {
        fatalError()
    }
    public static func buildIf<Content: View>(_ content: Content?) -> Content? { fatalError() }
    public static func buildEither<Content: View>(first: Content) -> AnyStubView { fatalError() }
    public static func buildEither<Content: View>(second: Content) -> AnyStubView { fatalError() }
}

@MainActor @preconcurrency public protocol Scene {}
@resultBuilder public struct SceneBuilder {
    public static func buildBlock<Content: Scene>(_ content: Content) -> Content { fatalError() }
}
@MainActor @preconcurrency public protocol App {
    associatedtype Body: Scene
    @SceneBuilder @MainActor @preconcurrency var body: Body { get }
    @MainActor @preconcurrency init()
}
extension App {
    public static func main() { fatalError() }
}
public struct WindowGroup<Content: View>: Scene {
    public nonisolated init(@ViewBuilder content: () -> Content) { fatalError() }
}

// State

@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
    public init(get: @escaping () -> Value, set: @escaping (Value) -> Void) { fatalError() }
    public var wrappedValue: Value {
        get { fatalError() }
        nonmutating set { fatalError() }
    }
    public var projectedValue: Binding<Value> { fatalError() }
    public subscript<Member>(dynamicMember path: WritableKeyPath<Value, Member>) -> Binding<Member>
    { fatalError() }
}
@propertyWrapper public struct State<Value> {
    public init(wrappedValue: Value) { fatalError() }
    public var wrappedValue: Value {
        get { fatalError() }
        nonmutating set { fatalError() }
    }
    public var projectedValue: Binding<Value> { fatalError() }
}
extension State where Value: ExpressibleByNilLiteral {
    public init() { fatalError() }
}
@dynamicMemberLookup public struct ObjectWrapper<Object: ObservableObject> {
    public subscript<Member>(
        dynamicMember path: ReferenceWritableKeyPath<Object, Member>
    ) -> Binding<Member> { fatalError() }
}
@propertyWrapper @MainActor @preconcurrency public struct StateObject<Object: ObservableObject> {
    public nonisolated init(wrappedValue: @autoclosure @escaping () -> Object) { fatalError() }
    public var wrappedValue: Object { fatalError() }
    public var projectedValue: ObjectWrapper<Object> { fatalError() }
}
@propertyWrapper @MainActor @preconcurrency public struct ObservedObject<Object: ObservableObject> {
    public init(wrappedValue: Object) { fatalError() }
    public var wrappedValue: Object
    public var projectedValue: ObjectWrapper<Object> { fatalError() }
}
@propertyWrapper @MainActor @preconcurrency
public struct EnvironmentObject<Object: ObservableObject> {
    public nonisolated init() { fatalError() }
    public var wrappedValue: Object { fatalError() }
    public var projectedValue: ObjectWrapper<Object> { fatalError() }
}
public enum ScenePhase: Sendable { case background, inactive, active }
public struct EnvironmentValues {
    public var scenePhase: ScenePhase { fatalError() }
    public var displayScale: CGFloat {
        get { fatalError() }
        set { fatalError() }
    }
}
@propertyWrapper public struct Environment<Value> {
    public init(_ path: KeyPath<EnvironmentValues, Value>) { fatalError() }
    public var wrappedValue: Value { fatalError() }
}

@propertyWrapper public struct ScaledMetric<Value> {
    public init(wrappedValue: Value) { fatalError() }
    public var wrappedValue: Value { fatalError() }
}

// Styles

public protocol ShapeStyle: Sendable {}
public struct HierarchicalShapeStyle: ShapeStyle {}
extension ShapeStyle where Self == HierarchicalShapeStyle {
    public static var secondary: HierarchicalShapeStyle { fatalError() }
}
extension ShapeStyle where Self == Color {
    public static var red: Color { fatalError() }
    public static var green: Color { fatalError() }
}
public struct Color: View, ShapeStyle, Hashable {
    public enum RGBColorSpace: Sendable { case sRGB }
    public init(_ space: RGBColorSpace, red: Double, green: Double, blue: Double, opacity: Double) {
        fatalError()
    }
    public static var red: Color { fatalError() }
    public static var green: Color { fatalError() }
    public static var clear: Color { fatalError() }
    public static var secondary: Color { fatalError() }
    public func opacity(_ opacity: Double) -> Color { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Font: Sendable {
    public static var headline: Font { fatalError() }
    public static var subheadline: Font { fatalError() }
    public static var footnote: Font { fatalError() }
}
public enum HorizontalAlignment: Sendable { case leading, center, trailing }
public enum VerticalAlignment: Sendable { case top, center, bottom }
public enum Alignment: Sendable { case leading, center, trailing, bottomTrailing }
public enum Visibility: Sendable { case automatic, visible, hidden }
public enum ContentMode: Sendable { case fit, fill }
public struct Axis: Sendable {
    public struct Set: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { fatalError() }
        public static var horizontal: Set { fatalError() }
        public static var vertical: Set { fatalError() }
    }
}
public struct ButtonRole: Sendable {
    public static var destructive: ButtonRole { fatalError() }
    public static var cancel: ButtonRole { fatalError() }
}
public struct AccessibilityTraits: Sendable {
    public static var isHeader: AccessibilityTraits { fatalError() }
    public static var isImage: AccessibilityTraits { fatalError() }
    public static var updatesFrequently: AccessibilityTraits { fatalError() }
}
public struct AccessibilityChildBehavior: Sendable {
    public static var ignore: AccessibilityChildBehavior { fatalError() }
    public static var combine: AccessibilityChildBehavior { fatalError() }
}
public protocol LabelStyle {}
public struct IconOnlyLabelStyle: LabelStyle {}
extension LabelStyle where Self == IconOnlyLabelStyle {
    public static var iconOnly: IconOnlyLabelStyle { fatalError() }
}

// Shapes

public protocol Shape: View, Sendable {}
extension Shape {
    public func fill<S: ShapeStyle>(_ style: S) -> AnyStubView { fatalError() }
}
public struct RoundedRectangle: Shape {
    public init(cornerRadius: CGFloat) { fatalError() }
    public func strokeBorder<S: ShapeStyle>(_ style: S, lineWidth: CGFloat = 1) -> AnyStubView {
        fatalError()
    }
    public var body: Never { return fatalError() }
}

// Views

public struct Text: View {
    public init(_ key: LocalizedStringKey) { fatalError() }
    @_disfavoredOverload public init<S: StringProtocol>(_ content: S) { fatalError() }
    public func font(_ font: Font?) -> Text { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Image: View {
    public enum Interpolation: Sendable { case none, low, medium, high }
    public init(decorative image: CGImage, scale: CGFloat) { fatalError() }
    public init(systemName: String) { fatalError() }
    public init(uiImage: UIImage) { fatalError() }
    public func resizable() -> Image { fatalError() }
    public func interpolation(_ interpolation: Interpolation) -> Image { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Label<Title: View, Icon: View>: View {
    public init(@ViewBuilder title: () -> Title, @ViewBuilder icon: () -> Icon) { fatalError() }
    public var body: Never { return fatalError() }
}
extension Label where Title == Text, Icon == Image {
    public init(_ key: LocalizedStringKey, systemImage: String) { fatalError() }
    @_disfavoredOverload public init<S: StringProtocol>(_ title: S, systemImage: String) {
        fatalError()
    }
}
public struct Button<Content: View>: View {
    public init(
        role: ButtonRole? = nil, action: @escaping @MainActor () -> Void,
        @ViewBuilder label: () -> Content
    ) { fatalError() }
    public var body: Never { return fatalError() }
}
extension Button where Content == Text {
    public init(
        _ key: LocalizedStringKey, role: ButtonRole? = nil, action: @escaping @MainActor () -> Void
    ) { fatalError() }
}
public struct Link<Content: View>: View {
    public var body: Never { return fatalError() }
}
extension Link where Content == Text {
    public init(_ key: LocalizedStringKey, destination: URL) { fatalError() }
}
public struct Toggle<Content: View>: View {
    public init(isOn: Binding<Bool>, @ViewBuilder label: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Slider: View {
    public init(value: Binding<Double>, in bounds: ClosedRange<Double>) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Picker<Selection: Hashable, Content: View>: View {
    public init(
        _ key: LocalizedStringKey, selection: Binding<Selection>,
        @ViewBuilder content: () -> Content
    ) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Menu<Content: View, Title: View>: View {
    public init(@ViewBuilder content: () -> Content, @ViewBuilder label: () -> Title) {
        fatalError()
    }
    public var body: Never { return fatalError() }
}
public struct ForEach<Content: View>: View {
    public init<Data: RandomAccessCollection>(
        _ data: Data, @ViewBuilder content: @escaping (Data.Element) -> Content
    ) where Data.Element: Identifiable { fatalError() }
    public init<Data: RandomAccessCollection, ID: Hashable>(
        _ data: Data, id: KeyPath<Data.Element, ID>,
        @ViewBuilder content: @escaping (Data.Element) -> Content
    ) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct TabView<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct NavigationStack<Root: View>: View {
    public init(@ViewBuilder root: () -> Root) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct ScrollView<Content: View>: View {
    public init(_ axes: Axis.Set = .vertical, @ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct VStack<Content: View>: View {
    public init(
        alignment: HorizontalAlignment = .center, spacing: CGFloat? = nil,
        @ViewBuilder content: () -> Content
    ) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct HStack<Content: View>: View {
    public init(
        alignment: VerticalAlignment = .center, spacing: CGFloat? = nil,
        @ViewBuilder content: () -> Content
    ) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct LazyHStack<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Group<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct List<Content: View>: View {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct Section<Parent: View, Content: View, Footer: View>: View {
    public var body: Never { return fatalError() }
}
extension Section where Parent == EmptyView, Footer == EmptyView {
    public init(@ViewBuilder content: () -> Content) { fatalError() }
}
extension Section where Parent == EmptyView {
    public init(@ViewBuilder content: () -> Content, @ViewBuilder footer: () -> Footer) {
        fatalError()
    }
}
extension Section where Footer == EmptyView {
    public init(@ViewBuilder content: () -> Content, @ViewBuilder header: () -> Parent) {
        fatalError()
    }
}
public struct Spacer: View {
    public init() { fatalError() }
    public var body: Never { return fatalError() }
}
public struct ProgressView: View {
    public init() { fatalError() }
    public init(_ key: LocalizedStringKey) { fatalError() }
    @_disfavoredOverload public init<S: StringProtocol>(_ title: S) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct LabeledContent: View {
    public init<S: StringProtocol>(_ key: LocalizedStringKey, value: S) { fatalError() }
    public var body: Never { return fatalError() }
}
public struct GeometryProxy {
    public var size: CGSize { fatalError() }
}
public struct GeometryReader<Content: View>: View {
    public init(@ViewBuilder content: @escaping (GeometryProxy) -> Content) { fatalError() }
    public var body: Never { return fatalError() }
}

// Sharing

public protocol TransferRepresentation: Sendable {}
public protocol Transferable {
    associatedtype Representation: TransferRepresentation
    @TransferRepresentationBuilder<Self> static var transferRepresentation: Representation { get }
}
@resultBuilder public struct TransferRepresentationBuilder<Item> {
    public static func buildBlock<R: TransferRepresentation>(_ content: R) -> R { fatalError() }
}
public struct DataRepresentation<Item: Transferable>: TransferRepresentation {
    public init(
        exportedContentType: UTType,
        exporting: @escaping @Sendable (Item) async throws -> Data
    ) { fatalError() }
}
extension URL: Transferable {
    public static var transferRepresentation: some TransferRepresentation {
        DataRepresentation<URL>(exportedContentType: .png) { _ in Data() }
    }
}
extension Data: Transferable {
    public static var transferRepresentation: some TransferRepresentation {
        DataRepresentation<Data>(exportedContentType: .png) { _ in Data() }
    }
}
public struct SharePreview {
    public init<S: StringProtocol>(_ title: S) { fatalError() }
}
public struct ShareLink: View {
    public init<Item: Transferable>(item: Item, preview: SharePreview) { fatalError() }
    public init(item: URL) { fatalError() }
    public var body: Never { return fatalError() }
}

// Toolbars

public protocol ToolbarContent {}
public struct AnyToolbarContent: ToolbarContent {}
@resultBuilder public struct ToolbarContentBuilder {
    public static func buildBlock<each Content: ToolbarContent>(
        _ content: repeat each Content
    ) -> AnyToolbarContent { fatalError() }
}
public enum ToolbarItemPlacement: Sendable { case navigationBarLeading, navigationBarTrailing }
public struct ToolbarItem<Content: View>: ToolbarContent {
    public init(placement: ToolbarItemPlacement, @ViewBuilder content: () -> Content) {
        fatalError()
    }
}
public struct ToolbarItemGroup<Content: View>: ToolbarContent {
    public init(placement: ToolbarItemPlacement, @ViewBuilder content: () -> Content) {
        fatalError()
    }
}

// Modifiers

extension View {
    public func environmentObject<O: ObservableObject>(_ object: O) -> some View { self }
    public func tabItem<V: View>(@ViewBuilder _ label: () -> V) -> some View { self }
    public func task(_ action: @escaping @Sendable @MainActor () async -> Void) -> some View {
        self
    }
    public func task<ID: Equatable>(
        id: ID, _ action: @escaping @Sendable @MainActor () async -> Void
    ) -> some View { self }
    public func onChange<V: Equatable>(
        of value: V, perform action: @escaping (V) -> Void
    ) -> some View { self }
    public func onAppear(perform action: (() -> Void)? = nil) -> some View { self }
    public func onDisappear(perform action: (() -> Void)? = nil) -> some View { self }
    public func navigationTitle(_ key: LocalizedStringKey) -> some View { self }
    public func toolbar<C: ToolbarContent>(@ToolbarContentBuilder content: () -> C) -> some View {
        self
    }
    public func padding(_ length: CGFloat? = nil) -> some View { self }
    public func font(_ font: Font?) -> some View { self }
    public func monospacedDigit() -> some View { self }
    public func foregroundStyle<S: ShapeStyle>(_ style: S) -> some View { self }
    public func opacity(_ opacity: Double) -> some View { self }
    public func aspectRatio(_ ratio: CGFloat? = nil, contentMode: ContentMode) -> some View { self }
    public func overlay<V: View>(
        alignment: Alignment = .center, @ViewBuilder content: () -> V
    ) -> some View { self }
    public func background<V: View>(
        alignment: Alignment = .center, @ViewBuilder content: () -> V
    ) -> some View { self }
    public func clipShape<S: Shape>(_ shape: S) -> some View { self }
    public func frame(width: CGFloat? = nil, height: CGFloat? = nil) -> some View { self }
    public func frame(maxWidth: CGFloat?, alignment: Alignment = .center) -> some View { self }
    public func offset(x: CGFloat = 0, y: CGFloat = 0) -> some View { self }
    public func tag<V: Hashable>(_ tag: V) -> some View { self }
    public func labelStyle<S: LabelStyle>(_ style: S) -> some View { self }
    public func accessibilityElement(
        children: AccessibilityChildBehavior = .ignore
    ) -> some View { self }
    public func accessibilityHidden(_ hidden: Bool) -> some View { self }
    public func accessibilityLabel(_ key: LocalizedStringKey) -> some View { self }
    @_disfavoredOverload public func accessibilityLabel<S: StringProtocol>(_ label: S) -> some View
    { self }
    public func accessibilityValue<S: StringProtocol>(_ value: S) -> some View { self }
    public func accessibilityAddTraits(_ traits: AccessibilityTraits) -> some View { self }
    public func confirmationDialog<A: View, M: View, T>(
        _ key: LocalizedStringKey, isPresented: Binding<Bool>,
        titleVisibility: Visibility = .automatic, presenting data: T?,
        @ViewBuilder actions: (T) -> A, @ViewBuilder message: (T) -> M
    ) -> some View { self }
    public func fileImporter(
        isPresented: Binding<Bool>, allowedContentTypes: [UTType],
        onCompletion: @escaping (Result<URL, any Error>) -> Void
    ) -> some View { self }
}
