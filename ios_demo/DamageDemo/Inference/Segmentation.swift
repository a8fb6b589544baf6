import DamageKit

/// What a model made of one picture.
struct Segmentation: Equatable, Sendable {
    /// The class of every pixel of the model's input.
    let map: ClassMap
    /// Which part of the picture the model saw.
    let placement: Placement
    /// The area of each class in that part.
    let areas: [ClassArea]
    let contract: ModelContract
    let timings: StageTimings
    /// The largest difference from PyTorch's logits where it was asked for and can be told.
    let logitError: Double?
}

/// A model that is ready to run.
struct LoadedModel: Equatable, Sendable {
    let file: ModelFile
    let units: ComputeUnits
    let contract: ModelContract
    /// The size of its image input.
    let size: PixelSize
}
