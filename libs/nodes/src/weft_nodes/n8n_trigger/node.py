"""n8n Trigger: Workflow Trigger under its newer name."""

from weft_nodes.workflow_trigger import node

run = node.run
