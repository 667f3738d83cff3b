-- 100,000 tables alive at once, each with a string of its own; every second one dropped.
local tables = {}
for i = 1, 100000 do
	tables[i] = { id = i, name = "table " .. i }
end
local sum, length = 0, 0
for _, t in ipairs(tables) do
	sum = sum + t.id
	length = length + #t.name
end
print("tables", #tables, sum, length)

for i = 1, #tables, 2 do
	tables[i] = false
end
collectgarbage()
local left = 0
for _, t in ipairs(tables) do
	left = left + (t and 1 or 0)
end
print("left", left)
