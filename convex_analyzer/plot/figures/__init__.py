"""One figure per module, each under its own name; `convex_analyzer.plot` finds them by file name.

To add a figure, add a module here: a frozen dataclass of plain arrays with the class attribute
``figure`` (the name of the module); the functions ``<name>_data(result)``, ``finding(data)``,
``alt(data)``, ``caption(data)`` and ``series(data)``; and the function ``<name>(panel, data)`` that
draws, decorated with `convex_analyzer.plot.figure.figure`. Nothing else has to know of it.
"""
