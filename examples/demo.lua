-- A little of everything: strings, tables that grow and shrink, closures, coroutines, errors.
local words = {}
for word in ("a fence is only as good as its weakest post"):gmatch("%a+") do
	words[#words + 1] = word
end
table.sort(words)
print(table.concat(words, " "))

local function counter(n)
	return coroutine.wrap(function()
		for i = 1, n do
			coroutine.yield(i * i)
		end
	end)
end

local sum = 0
for square in counter(100) do
	sum = sum + square
end
print("sum of squares", sum)

local posts = {}
for i = 1, 1000 do
	posts[i] = { name = "post " .. i, height = i % 7 }
end
for i = 1, 1000, 2 do
	posts[i] = nil
end
collectgarbage()

local left = 0
for _ in pairs(posts) do
	left = left + 1
end
print("posts left", left)
print(pcall(error, "caught"))
if #arg > 0 then
	print("arguments", table.concat(arg, ","))
end
