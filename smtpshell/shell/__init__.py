"""The interactive shell: the only home of prompt_toolkit.

app        starts and ends a session          desk       what local commands and guests may use
console    what a front end can do            terminal   the front end that draws (prompt_toolkit)
plain      the front end that only appends    screen     the only writer of the drawing one
view       events to lines of fragments       theme      what each kind of text looks like
prompt     what stands before the line        bar        what stands at the bottom
completer  what may be typed next             lexer      colours of the line being typed
keys       what the keys do                   history    what is remembered, without secrets
hidden     how a secret looks while typed
"""
