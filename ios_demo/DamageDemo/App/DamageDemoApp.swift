import SwiftUI

@main
struct DamageDemoApp: App {
    @StateObject private var store = ModelStore()

    var body: some Scene {
        WindowGroup {
            RootScreen()
                .environmentObject(store)
        }
    }
}
