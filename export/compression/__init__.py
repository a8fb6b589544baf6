"""Write the mlprogram once more, with its weights stored in fewer bits.

forms            the forms that weights can be stored in, and what each needs
kmeans           the table of values that is nearest to a weight's numbers
encode           a weight as indices into a table, or as int8 with scales
write            the compressed package, made of the plain one
"""
