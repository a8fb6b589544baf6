import SwiftUI
import UniformTypeIdentifiers

/// A picture under its overlay, rendered when it is shared.
struct SharedPicture: Transferable {
    let picture: Picture
    let overlay: OverlayPicture?
    let opacity: Double
    let processor: ImageProcessor

    static var transferRepresentation: some TransferRepresentation {
        DataRepresentation(exportedContentType: .png) { (shared: SharedPicture) in
            try await shared.processor.png(
                of: shared.picture, under: shared.overlay, opacity: shared.opacity)
        }
    }
}
