"""What the stages of planning work with: calls bound to models, what is known of them, a plan."""
