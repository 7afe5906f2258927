# Read by interactive shells. A prompt that comes in by the environment stays.
case $PS1 in
'\s-\v\$ ' | '') PS1='\u@\h:\w# ' ;;
esac
