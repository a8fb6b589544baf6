"""Look up one encoder by its name, in the catalogue or among the installed networks of timm."""

from functools import cache

from models.families.encoders.catalogue import TIMM, CatalogueEntry, catalogue


@cache
def entry_of(name: str) -> CatalogueEntry | None:
    """Return what is known of `name`, which may end in a tag of pretrained weights, as timm's do.

    An encoder of timm that the catalogue lacks is built and looked at. None for unknown names;
    raises InputError for networks of timm that smp cannot use.
    """
    listed = catalogue().get(name) or catalogue().get(name.split(".", maxsplit=1)[0])
    if listed is not None or not name.startswith(TIMM):
        return listed
    from models.families.encoders import build

    return build.describe_if_known(name)
