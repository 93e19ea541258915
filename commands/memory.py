"""What the garbage collector is told once everything is up."""

import gc

_UNCOLLECTED = 20_000  # objects; hundreds of messages under way make their thousands and free them again


def settle() -> None:
    """Tell the garbage collector that what is there now stays; call it when everything is up.

    A message leaves no circles behind. Left as it is, the collector would look through the whole program
    again and again, for tens of milliseconds, only because some messages happen to be under way.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_UNCOLLECTED)
