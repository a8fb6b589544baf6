"""Open a checkpoint file: its format, its records and its storages, every offset checked.

weights_file        the file of a path, which may be a folder
detect_format       the format of a file, or what it is instead
torch_files, torchscript, safetensors_files    one kind of container a module
container           what each of them gives
raw_file, zip_records    bytes of a file, checked
"""
