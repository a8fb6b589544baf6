import DamageKit
import SwiftUI

/// A picture with colours over it, as one element for VoiceOver.
struct AnnotatedPicture: View {
    let photo: DisplayImage
    let overlay: OverlayPicture?
    let opacity: Double
    let summary: String

    var body: some View {
        Image(decorative: photo.cgImage, scale: 1)
            .resizable()
            .aspectRatio(contentMode: .fit)
            .overlay {
                if let overlay {
                    GeometryReader { geometry in
                        colours(overlay, in: geometry.size)
                    }
                    .opacity(opacity)
                }
            }
            .clipShape(RoundedRectangle(cornerRadius: 12))
            .accessibilityElement()
            .accessibilityLabel(summary)
            .accessibilityAddTraits(.isImage)
    }

    /// The overlay at its place in the picture, which fills `size`.
    private func colours(_ overlay: OverlayPicture, in size: CGSize) -> some View {
        let horizontal = size.width / CGFloat(overlay.picture.width)
        let vertical = size.height / CGFloat(overlay.picture.height)
        return Image(decorative: overlay.image.cgImage, scale: 1)
            .resizable()
            .interpolation(.none)
            .frame(
                width: CGFloat(overlay.place.width) * horizontal,
                height: CGFloat(overlay.place.height) * vertical
            )
            .offset(
                x: CGFloat(overlay.place.x) * horizontal,
                y: CGFloat(overlay.place.y) * vertical
            )
    }
}
