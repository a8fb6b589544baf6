"""Read Core ML files into inert descriptions, everything checked.

package             which files belong to the model, none outside its package
specification       coremltools' protobuf classes
versions            refuses a specification version that is too old for what the file uses
program_reader      protobuf -> ir, an inert description of the program
program_types       its declared types
blob                its weight files, every offset checked
interface           refuses a description that its program does not keep
program_constants   an ML program's weights, by the operation that takes them
"""
