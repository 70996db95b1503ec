"""The benchmark suites: workflows as .hql files over tables that are generated from a seed."""
