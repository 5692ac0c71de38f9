// Prints the receipt when its button is pressed. It does nothing else.

document.getElementById("print").addEventListener("click", () => print());
