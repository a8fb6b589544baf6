@_exported import SwiftUI

public struct PHPickerFilter: Sendable {
    public static var images: PHPickerFilter { fatalError() }
}

public struct PhotosPickerItem: Hashable, Sendable {
    public func loadTransferable<T: Transferable>(type: T.Type) async throws -> T? { fatalError() }
}

public struct PhotosPicker<Label: View>: View {
    public init(
        selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter?,
        @ViewBuilder label: () -> Label
    ) { fatalError() }
    public var body: Never { return fatalError() }
}
