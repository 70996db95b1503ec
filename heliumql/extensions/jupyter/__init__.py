"""HQL in notebooks: `%load_ext heliumql`, then `%hql` and `%%hql`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Adds the magics to a shell of IPython; a second time changes nothing."""
    from heliumql.extensions.jupyter.completion import complete_cells
    from heliumql.extensions.jupyter.magics import HqlMagics

    if not any(isinstance(m, HqlMagics) for m in shell.magics_manager.registry.values()):
        magics = HqlMagics(shell)
        shell.register_magics(magics)
        complete_cells(shell, magics)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Closes the connections that `%%hql` opened, and takes the magics away."""
    from heliumql.extensions.jupyter.completion import forget_cells
    from heliumql.extensions.jupyter.magics import HqlMagics

    manager = shell.magics_manager
    for name, magics in list(manager.registry.items()):
        if isinstance(magics, HqlMagics):
            magics.close()
            del manager.registry[name]
            for kind in ("line", "cell"):
                manager.magics[kind].pop("hql", None)
            forget_cells(shell)
