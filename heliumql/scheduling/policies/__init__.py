"""The policies, each a pure function of calls and workers: `SET llm_scheduler` names one."""
