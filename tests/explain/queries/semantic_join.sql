SELECT r.id, a.agent FROM reviews AS r JOIN agents AS a
ON r.stars = a.agent AND LLM_FILTER('Would {a.role} agree with {r.body}?')
