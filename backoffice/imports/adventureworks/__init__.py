"""AdventureWorks: a bicycle maker's catalogue, stock, BOMs, routings, suppliers, open orders and customers."""

from backoffice.imports.adventureworks.run import SYSTEM, Progress, Report, import_folder

__all__ = ["SYSTEM", "Progress", "Report", "import_folder"]
