import DamageKit
import SwiftUI
import UIKit

/// The pictures that come with the app, golden samples first.
struct SampleStrip: View {
    @EnvironmentObject private var store: ModelStore
    let open: (SamplePicture) -> Void
    @State private var pictures: [SamplePicture] = []

    var body: some View {
        VStack(alignment: .leading) {
            Text("Samples")
                .font(.headline)
                .accessibilityAddTraits(.isHeader)
            ScrollView(.horizontal) {
                LazyHStack {
                    ForEach(pictures) { picture in
                        Button {
                            open(picture)
                        } label: {
                            Thumbnail(sample: picture)
                        }
                        .accessibilityLabel(picture.title)
                    }
                }
            }
            .frame(height: Thumbnail.side)
        }
        .task(id: store.fixture) {
            let golden = store.fixture.map { store.samples.pictures(of: $0) } ?? []
            pictures = golden + store.samples.pictures()
        }
    }
}

/// A small version of a sample picture, made off the main actor.
private struct Thumbnail: View {
    static let side: CGFloat = 88

    let sample: SamplePicture
    @State private var image: UIImage?
    @Environment(\.displayScale) private var scale

    var body: some View {
        Group {
            if let image {
                Image(uiImage: image).resizable().aspectRatio(contentMode: .fill)
            } else {
                Color.secondary.opacity(0.2)
            }
        }
        .frame(width: Thumbnail.side, height: Thumbnail.side)
        .clipShape(RoundedRectangle(cornerRadius: 8))
        .overlay(alignment: .bottomTrailing) {
            if sample.goldenName != nil {
                Image(systemName: "checkmark.seal.fill")
                    .padding(4)
                    .accessibilityHidden(true)
            }
        }
        .task { await load() }
    }

    private func load() async {
        let side = Thumbnail.side * scale
        let stored = UIImage(contentsOfFile: sample.url.path)
        image = await stored?.byPreparingThumbnail(ofSize: CGSize(width: side, height: side))
    }
}
