"""Read the command line: one module a command, each of which hands its options on.

export           a checkpoint becomes a bundle, which is judged
validate         a bundle is judged again
predict          masks on photos
inspect          what is in a checkpoint
demo             the demonstration checkpoint, exported
ios_demo         a bundle goes into the iOS app
device_report    what the app reports back
"""
