import SwiftUI

/// The three things that the app does, over one choice of model.
struct RootScreen: View {
    @EnvironmentObject private var store: ModelStore

    var body: some View {
        TabView {
            PictureScreen()
                .tabItem { Label("Picture", systemImage: "photo") }
            CameraScreen()
                .tabItem { Label("Camera", systemImage: "camera") }
            ParityScreen()
                .tabItem { Label("Parity", systemImage: "checkmark.seal") }
        }
        .task { await store.refresh() }
        .task(id: store.request) { await store.load() }
    }
}
